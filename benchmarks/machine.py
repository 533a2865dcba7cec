"""What every benchmark says of the machine it ran on."""

import datetime
import os
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
FLAGS = ("avx2", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16", "amx_int8")
PACKAGES = ("numpy", "torch", "onnxruntime", "geoclip")


def machine():
    """CPU model and features, cores, load and versions; nothing that names the machine itself."""
    cpuinfo = Path("/proc/cpuinfo")
    facts = {}
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(":")
            facts.setdefault(key.strip(), value.strip())
    name = facts.get("model name") or platform.processor() or platform.machine()
    if "cpu family" in facts:
        name += f" (family {facts['cpu family']}, model {facts['model']})"
    flags = facts.get("flags", "").split()
    return {
        "date": datetime.date.today().isoformat(),
        "cpu": name,
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "flags": [flag for flag in FLAGS if flag in flags],
        "load_before": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {"python": platform.python_version()} | {name: installed(name) for name in PACKAGES},
    }


def page_of(name, cpu):
    """Path of a script's page for a CPU."""
    return RESULTS / f"{name}-{'-'.join(re.findall('[a-z0-9]+', cpu.lower()))}.md"


def installed(package):
    """Version of a package, or "absent"."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"
