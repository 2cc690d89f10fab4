"""
``make check``: style, types, and whether the package that we would publish works.

Prints one line per check, the output of those that failed, and ``N passed, N failed``.
Needs what the ``dev`` extra installs.
"""

import subprocess
import sys
import tempfile
import venv
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
PLUGIN = "twisted/plugins/timtw_plugin.py"
SHIPPED = ("timtw/protocols/idl/tim.thrift", "timtw/py.typed", PLUGIN)


class CheckFailed(Exception):
    """A check that did not hold; the text says why."""


def run(*command: str | Path, cwd: Path = TOP) -> str:
    """
    Run a command and return what it printed.

    Raises:
        CheckFailed: with what it printed, when its exit status is not 0.
    """
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise CheckFailed(done.stdout)
    return done.stdout


def style() -> None:
    """What ruff calls a mistake."""
    run(sys.executable, "-m", "ruff", "check", ".")


def form() -> None:
    """The form that ruff gives to a file."""
    run(sys.executable, "-m", "ruff", "format", "--check", ".")


def types() -> None:
    """Types, strictly, interfaces of zope.interface included."""
    run(sys.executable, "-m", "mypy")


class Package:
    """The checks of the built package, which build on each other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.dist = folder / "dist"
        self.bin = folder / "venv" / "bin"

    def builds(self) -> None:
        """A source archive, and a wheel built out of that."""
        run(sys.executable, "-m", "build", "--outdir", self.dist, TOP)

    def is_complete(self) -> None:
        """The wheel has our files of the checkout, all of them and no others."""
        with zipfile.ZipFile(self._wheel()) as archive:
            names = {name for name in archive.namelist() if ".dist-info/" not in name}
        wanted = expected(TOP)
        missing = sorted((wanted | set(SHIPPED)) - names)
        surplus = sorted(names - wanted)
        if missing or surplus:
            raise CheckFailed(f"missing: {missing}\nsurplus: {surplus}\n")

    def works(self) -> None:
        """Installed with nothing but what it asks for, a node loses no message."""
        venv.create(self.folder / "venv", with_pip=True)
        pip = (self.bin / "python", "-m", "pip", "install", "--quiet")
        run(*pip, self._wheel(), cwd=self.folder)
        empty = self.folder / "empty"
        empty.mkdir()
        listed = run(self.bin / "twistd", "--help", cwd=empty)
        if "An instant messaging node." not in listed:
            raise CheckFailed(f"twistd --help does not list tim:\n{listed}")
        run(self.bin / "twistd", "tim", "--check", cwd=empty)
        run(self.bin / "timtw", "check-loss", "--histories", "1", cwd=empty)

    def _wheel(self) -> Path:
        """The wheel that was built."""
        wheels = list(self.dist.glob("*.whl"))
        if len(wheels) != 1:
            raise CheckFailed("there is no wheel\n")
        return wheels[0]


def expected(top: Path) -> set[str]:
    """The files of a checkout that the wheel must have."""
    names = {
        path.relative_to(top).as_posix()
        for path in (top / "timtw").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    return names | {PLUGIN}


def main() -> int:
    """Run every check; the exit status is 1 when one did not hold."""
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        package = Package(Path(folder))
        checks: Sequence[tuple[str, Callable[[], None]]] = (
            ("style (ruff check)", style),
            ("form (ruff format)", form),
            ("types (mypy)", types),
            ("package builds", package.builds),
            ("package is complete", package.is_complete),
            ("package works", package.works),
        )
        for name, check in checks:
            try:
                check()
            except CheckFailed as error:
                failed += 1
                print(f"FAILED  {name}\n{error}", flush=True)
            else:
                passed += 1
                print(f"ok      {name}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
