"""hatchling's build hook: what a wheel and an sdist hold in another form than the checkout.

The version as a constant, so that nothing asks git any more; and in the wheel the largest arrays in two planes, which
compress better (geoconcept_gis/tensors.py reads either), and a list of the works of others inside (PEP 770).
"""

import json
import sys
import tempfile
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Build(BuildHookInterface):
    """Lays the files out in a folder that lives as long as the build."""

    def initialize(self, version, build_data):
        """Name the files to hatchling; an editable installation takes those of the checkout."""
        if version == "editable":
            return
        root = Path(self.root)
        sys.path[:0] = [str(root / "qgis_plugin"), str(root / "tools")]
        from build_plugin import IN_PLANES, VERSION_FILE, split_planes, version_file
        from release_sbom import SBOM_NAME, bundled

        self._made = tempfile.TemporaryDirectory()
        self._add(build_data, VERSION_FILE, version_file(self.metadata.version))
        if self.target_name == "wheel":
            for name in [f"models/geoclip/{one}" for one in IN_PLANES]:
                self._add(build_data, f"{name}.planes", split_planes((root / "geoconcept_gis" / name).read_bytes()))
            sbom = Path(self._made.name) / SBOM_NAME
            sbom.write_text(json.dumps(bundled(root, self.metadata.version), indent=1, ensure_ascii=False), "utf-8")
            build_data["sbom_files"].append(str(sbom))

    def _add(self, build_data, name, content):
        file = Path(self._made.name) / name.replace("/", "-")
        file.write_bytes(content)
        build_data["force_include"][str(file)] = f"geoconcept_gis/{name}"

    def finalize(self, version, build_data, artifact_path):
        """Remove what was laid out."""
        if version != "editable":
            self._made.cleanup()
