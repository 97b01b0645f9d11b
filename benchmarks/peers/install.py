"""One virtual environment per peer, with the versions pinned in requirements-*.txt beside this file.

    python benchmarks/peers/install.py --into DIR [--only jax,tvb] [--python python3.11]

A peer that does not install is named at the end (exit status 1); the others can be used. None needs PyTorch,
all together take some 4 GB. Python 3.11 and 3.12 are known to do.
"""

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def peers() -> dict[str, Path]:
    """Name of each peer and its requirements."""
    return {path.stem.removeprefix("requirements-"): path for path in sorted(HERE.glob("requirements-*.txt"))}


def install(python: str, target: Path, requirements: Path) -> bool:
    """Create an environment and install into it; whether that succeeded."""
    subprocess.run([python, "-m", "venv", str(target)], check=True)
    pip = [str(target / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    return subprocess.run([*pip, "-r", str(requirements)], check=False).returncode == 0


def main() -> int:
    """Install all peers or those named."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--into", type=Path, required=True, help="folder for the environments")
    parser.add_argument("--only", default="", help="names, separated by commas")
    parser.add_argument("--python", default=sys.executable, help="interpreter that the environments use")
    given = parser.parse_args()
    known = peers()
    names = [name for name in given.only.split(",") if name] or list(known)
    if unknown := set(names) - set(known):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    given.into.mkdir(parents=True, exist_ok=True)
    failed = [name for name in names if not install(given.python, given.into / name, known[name])]
    print(f"installed: {', '.join(n for n in names if n not in failed) or 'none'}")
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    raise SystemExit(main())
