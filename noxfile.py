"""Sessions of continuous integration, each on its own or all together.

``nox -s lint`` makes a virtual environment and checks the source; ``nox --no-venv -s lint`` uses
the environment that is active, as ``.ci/run`` does.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import nox

nox.options.sessions = ["lint", "doctests", "tests"]
nox.options.reuse_existing_virtualenvs = True

TORCH = "torch==2.13.0"
"""A CPU build, installed first so that nothing that depends on torch brings in a larger one."""
EVERYTHING = ".[test,lint,docs,oracles,browser,cluster,parquet]"
REPORT_FILES = (
    "leaderboard.md", "leaderboard.csv", "leaderboard.json", "report.html", "runs.sqlite",
    "environment.json",
)  # fmt: skip


def install(session: nox.Session, *packages: str) -> None:
    """Install packages, unless the session uses the active environment."""
    if session.venv_backend != "none":
        session.install(*packages)


@nox.session
def lint(session: nox.Session) -> None:
    """Check format, style, spelling, types, and which room imports which."""
    install(session, TORCH)
    install(session, EVERYTHING)
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")
    session.run("codespell")
    session.run("mypy")
    session.run("lint-imports")


@nox.session
def wheel(session: nox.Session) -> None:
    """Build the wheel and use it in an environment of its own, outside of the checkout."""
    install(session, "build")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        session.run("python", "-m", "build", "-q", "--outdir", str(work / "dist"))
        session.run("python", "-m", "venv", str(work / "fresh"))
        bin_folder = work / "fresh" / "bin"
        (built,) = (work / "dist").glob("*.whl")
        session.run(str(bin_folder / "pip"), "install", "-q", str(built), external=True)
        optbench = str(bin_folder / "optbench")
        with session.chdir(work):
            session.run(optbench, "--version", external=True)
            session.run(optbench, "run", "smoke", "--out", "smoke", external=True)
        missing = [name for name in REPORT_FILES if not (work / "smoke" / name).is_file()]
        if missing:
            session.error(f"missing in the folder of the study: {', '.join(missing)}")


@nox.session
def adapters(session: nox.Session) -> None:
    """Test the adapters for PyTorch and optax, installed beside the rest."""
    install(session, TORCH)
    install(session, EVERYTHING)
    folders = [str(path) for path in sorted(Path("plugins").glob("optbench-*"))]
    with tempfile.TemporaryDirectory() as target:
        session.run(
            "python", "-m", "pip", "install", "-q", "--no-deps", "--target", target, *folders
        )
        tests = [str(Path(folder) / "tests") for folder in folders]
        session.run("python", "-m", "pytest", *tests, *session.posargs, env={"PYTHONPATH": target})


@nox.session
def doctests(session: nox.Session) -> None:
    """Run the examples in docstrings."""
    install(session, ".[test]")
    session.run(
        "python", "-m", "pytest", "--doctest-modules", "optbench", "plugins/optbench_builtin"
    )


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation site into ``build/site``."""
    install(session, ".[docs]")
    session.run("python", "-m", "sphinx", "-W", "-q", "docs", "build/site")


@nox.session
def tests(session: nox.Session) -> None:
    """Run all tests, the long ones too."""
    install(session, TORCH)
    install(session, EVERYTHING)
    session.run("python", "-m", "pytest", "--long", *session.posargs)


@nox.session(venv_backend="uv")
@nox.parametrize("resolution", ["lowest-direct", "highest"])
def versions(session: nox.Session, resolution: str) -> None:
    """Run the tests with the oldest, or the newest, versions that pyproject.toml allows."""
    session.install(".[test]", f"--resolution={resolution}")
    session.run("python", "-m", "pytest", *session.posargs)
