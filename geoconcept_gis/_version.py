"""The version: what git says of this checkout. Builds put a file in this one's place that only names theirs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

__all__ = ["__version__"]

#: What comes next, for files that no tag describes: a shallow clone, a copy without git. CITATION.cff says the same.
NEXT = "0.1.0"
_ROOT = Path(__file__).parents[1]
_DESCRIBE = ("describe", "--tags", "--always", "--dirty", "--abbrev=9", "--match=v[0-9]*")
_DESCRIPTION = re.compile(
    r"(?:v(?P<tag>\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?)(?:-(?P<commits>\d+)-g(?=[0-9a-f]))?)?"
    r"(?P<commit>[0-9a-f]{7,40})?(?P<dirty>-dirty)?"
)


def version_of(description: str) -> str:
    """Turn what ``git describe`` says into a version as PEP 440 wants it.

    Parameters
    ----------
    description : str
        ``v0.2.0`` at a tag, ``v0.2.0-5-g9de1d90ab`` five commits after it, ``9de1d90ab`` without tags; ``-dirty`` at
        the end where files were changed.

    Returns
    -------
    str
        The tag's version; or a development version, which sorts after the tag and before the next release.

    Examples
    --------
    >>> version_of("v0.2.0"), version_of("v0.2.0-5-g9de1d90ab"), version_of("v0.2.0rc1-1-g9de1d90ab-dirty")
    ('0.2.0', '0.2.1.dev5+g9de1d90ab', '0.2.0rc2.dev1+g9de1d90ab.dirty')
    """
    found = _DESCRIPTION.fullmatch(description.strip())
    if found is None:
        return f"{NEXT}.dev0"
    tag, commits, commit, dirty = found.groups()
    if tag and not commit and not dirty:
        return tag
    following = re.sub(r"\d+$", lambda last: str(int(last[0]) + 1), tag) if tag else NEXT
    local = ".".join(part for part in (commit and f"g{commit}", dirty and "dirty") if part)
    return f"{following}.dev{commits or 0}" + (f"+{local}" if local else "")


def describe(root: Path) -> str:
    """Return what git says of a folder; of one that git packed, what it wrote into it; else nothing.

    Parameters
    ----------
    root : pathlib.Path
        Of the repository. A repository further up does not count: it is another project's.

    Returns
    -------
    str
    """
    git = shutil.which("git")
    if git and (root / ".git").exists():
        quiet = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}  # only look: others may be at work here
        run = subprocess.run([git, "-C", str(root), *_DESCRIBE], capture_output=True, text=True, env=quiet, check=False)
        return run.stdout.strip()
    try:
        packed = dict(line.split(": ", 1) for line in (root / ".git_archival.txt").read_text("utf-8").splitlines())
    except (OSError, ValueError):
        return ""
    # Git before 2.32 leaves the description as it stands in the repository.
    found = (packed.get("describe", ""), packed.get("commit", "")[:9])
    return next((text for text in found if text and "$" not in text), "")


__version__ = version_of(describe(_ROOT))
