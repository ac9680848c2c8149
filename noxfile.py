"""Every check of the project, one session each.

`nox` runs what every change must pass; `tests_colab` matters most, it is what our users have. `nox -l` lists them all.
`nox -r -s tests -- -k cgroup` builds on the environment of the last run and hands what follows `--` to pytest.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import nox

sys.path.append(str(Path(__file__).resolve().parent))
from tools.pythons import first_python

nox.needs_version = ">=2025.11.12"
nox.options.default_venv_backend = "uv|venv"
nox.options.download_python = "never"

ROOT = Path(__file__).resolve().parent
TOOLS = ROOT / "tools"  # programs that run in the sessions' environments
DIST = ROOT / "dist"
SITE = ROOT / ".nox" / "documentation"  # as mkdocs.yml says
PYPROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
CONSTRAINTS = ROOT / "constraints" / "colab.txt"

COLAB_PACKAGES = ("ipykernel", "ipython", "ipywidgets", "psutil")  # those that we meet there

SCREENSHOTS = ROOT / "examples" / "screenshots"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")  # as tests/browser/conftest.py looks for them
FIREFOX = ("firefox-esr", "firefox")
AXE_CORE = "4.14.1"


def group(name: str) -> tuple[str, ...]:
    """Return the requirements of a dependency group of pyproject.toml."""
    return nox.project.dependency_groups(PYPROJECT, name)


def the_wheel() -> Path:
    """Return the wheel that the session `build` made."""
    return next(DIST.glob("*.whl"))


PROMISED = nox.project.python_versions(PYPROJECT)  # by the classifiers, the oldest first
OLDEST_PYTHON = first_python(*PROMISED)
NEWEST_PYTHON = first_python(*reversed(PROMISED))  # also the nearest to Colab's


@nox.session(reuse_venv=True)
def lint(session: nox.Session) -> None:
    """Check style, formatting and spelling."""
    session.install(*group("lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("codespell")


@nox.session(reuse_venv=True)
def types(session: nox.Session) -> None:
    """Check the types, against the newest of everything."""
    session.install(*group("types"), *PYPROJECT["project"]["dependencies"])
    session.run("mypy")


@nox.session(reuse_venv=True)
def site(session: nox.Session) -> None:
    """Build the documentation as it is committed; fail where a link leads nowhere."""
    session.install(*group("docs"))
    build_site(session)


@nox.session(reuse_venv=True, default=False)
def build(session: nox.Session) -> None:
    """Build the sdist, and from it the wheel; check both. The sessions that test ask for this one first."""
    shutil.rmtree(DIST, ignore_errors=True)
    session.install("build", "twine", *PYPROJECT["build-system"]["requires"])
    session.run("python", "-m", "build", "--no-isolation", f"--outdir={DIST}", silent=True)
    session.run("twine", "check", "--strict", *map(str, DIST.iterdir()))
    session.run("python", str(TOOLS / "check_wheel.py"), str(the_wheel()))


@nox.session(reuse_venv=True, default=False)
def catalogues(session: nox.Session) -> None:
    """Bring the source's messages into the catalogues, compile them for this checkout, say what is untranslated."""
    session.install("babel")
    session.run("python", str(ROOT / "tests" / "catalogues.py"))


@nox.session(reuse_venv=True, default=False)
def docs(session: nox.Session) -> None:
    """Write what is made from the code and the kept benchmarks, in docs/ and the JSON Schema; then build the pages."""
    session.install(*group("docs"), str(ROOT))
    session.run("python", "-m", "documentation", env={"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"})
    build_site(session)


@nox.session(reuse_venv=True, default=False)
def examples(session: nox.Session) -> None:
    """Execute the notebooks of examples/ on a machine that is composed, and store them with their outputs."""
    session.install(f"{ROOT}[panel]", *group("test"))
    session.run("python", str(ROOT / "tests" / "examples.py"))


@nox.session(python=NEWEST_PYTHON, requires=["build"])
def tests(session: nox.Session) -> None:
    """Test the wheel with the newest of everything, on the newest Python that we promise and that is here."""
    install_newest(session)
    run_tests(session, "pytest")


# Apart from the others: JAX warns of every fork beside it, and a report speaks of it where it is installed.
@nox.session(python=NEWEST_PYTHON, requires=["build"])
def tests_libraries(session: nox.Session) -> None:
    """Test what reads objects and errors of NumPy, pandas, Polars, Arrow, SciPy and JAX beside the newest of them."""
    install_newest(session, *group("libraries"))
    run_tests(session, "pytest", "-m", "libraries")


@nox.session(python=NEWEST_PYTHON, requires=["build"])
def tests_clusters(session: nox.Session) -> None:
    """Test what asks a cluster with real ones of Dask, ipyparallel and Ray, the newest of them."""
    install_newest(session, *group("clusters"))
    run_tests(session, "pytest", "-m", "clusters")


# pip, as with Colab's other versions. Ray is not there.
@nox.session(python=NEWEST_PYTHON, venv_backend="venv", requires=["build"])
def tests_clusters_colab(session: nox.Session) -> None:
    """Test the same with the Dask and the ipyparallel that Colab has."""
    pinned = ("--constraint", str(CONSTRAINTS))
    engines = [name for name in group("clusters") if name != "ray"]
    session.install(*pinned, f"{the_wheel()}[panel]", *group("test"), *engines)
    session.install("--force-reinstall", "--no-deps", str(the_wheel()))
    run_tests(session, "pytest", "-m", "clusters")


@nox.session(python=OLDEST_PYTHON, requires=["build"])
def tests_oldest(session: nox.Session) -> None:
    """Test the wheel on the oldest Python that we promise, with the newest it can have: what needs no kernel."""
    has = version_of_python(session)
    if OLDEST_PYTHON == NEWEST_PYTHON:
        session.skip(f"Python {has} is the only one here, and the session `tests` tests on it")
    if has != PROMISED[0]:
        session.warn(f"The oldest Python we promise is {PROMISED[0]}; there is none here, so this is the next.")
    install_newest(session)
    run_tests(session, "pytest", "-m", "not slow")


# pip, never uv: it is pip that installs us on Colab.
@nox.session(python=NEWEST_PYTHON, venv_backend="venv", requires=["build"])
def tests_colab(session: nox.Session) -> None:
    """Test the wheel on Colab's package versions; prove that installing it there changes none of them."""
    if version_of_python(session) != "3.13":
        session.warn("Colab has Python 3.13; there is none here, so this is the nearest.")
    session.install("--constraint", str(CONSTRAINTS), *COLAB_PACKAGES)
    session.run("python", "-I", str(TOOLS / "install_as_on_colab.py"), str(the_wheel()))
    session.install("--constraint", str(CONSTRAINTS), f"{the_wheel()}[panel]", *group("test"))
    run_tests(session, "pytest")


@nox.session(python=NEWEST_PYTHON, requires=["build"])
def cost(session: nox.Session) -> None:
    """Hold what the wheel costs with the newest of everything: counts as they are, times within thrice the goals."""
    session.install(f"{the_wheel()}[panel]", *group("cost"))
    session.install("--force-reinstall", "--no-deps", str(the_wheel()))
    session.run("python", str(ROOT / "benchmarks" / "cost.py"), env={"PYTHONPATH": None})


@nox.session(python=NEWEST_PYTHON, venv_backend="venv", requires=["build"])
def cost_colab(session: nox.Session) -> None:
    """Hold the same on Colab's package versions."""
    session.install("--constraint", str(CONSTRAINTS), f"{the_wheel()}[panel]", *group("cost"))
    session.run("python", str(ROOT / "benchmarks" / "cost.py"), env={"PYTHONPATH": None})


@nox.session(python=OLDEST_PYTHON, requires=["build"])
def guests(session: nox.Session) -> None:
    """Test the panel in kernels and clients that are not Jupyter's own: of xeus, Spyder, a cluster; and an old one."""
    install_newest(session, *group("guests"))
    old_kernel = session.env_dir.resolve() / "old-kernel"
    session.install(f"--target={old_kernel}", "ipykernel==5.5.6", "ipython==7.34")
    run_tests(session, "pytest", f"--old-kernel={old_kernel}", folder="tests/guests")


# pip, as with Colab's versions: which build it takes is known.
@nox.session(python=OLDEST_PYTHON, venv_backend="venv", requires=["build"], default=False)
def tests_torch(session: nox.Session) -> None:
    """Test the wheel beside PyTorch itself, its build for the processor: 200 MB, so only when asked for."""
    install_newest(session, *group("torch"))
    run_tests(session, "pytest", folder="tests/real_torch")


@nox.session(python=NEWEST_PYTHON, requires=["build"])
def browser(session: nox.Session) -> None:
    """Look at the wheel in JupyterLab, in a real browser, with the newest of everything."""
    needs_a_browser(session)
    install_newest(session, *group("browser"), "jupyterlab>=4")
    run_in_browser(session, "lab")


@nox.session(python=NEWEST_PYTHON, requires=["build"])
def browser_colab(session: nox.Session) -> None:
    """Look at the wheel in the classic notebook, in a real browser, on Colab's package versions."""
    needs_a_browser(session)
    pinned = ("--constraint", str(CONSTRAINTS))
    session.install(*pinned, f"{the_wheel()}[panel]", *group("test"), *group("browser"), "notebook")
    session.install("--force-reinstall", "--no-deps", str(the_wheel()))
    run_in_browser(session, "classic")


@nox.session(python=NEWEST_PYTHON, requires=["build"], default=False)
def browser_firefox(session: nox.Session) -> None:
    """Look at the wheel in JupyterLab, in the Firefox that is there."""
    needs_a_browser(session, "Firefox", FIREFOX)
    install_newest(session, *group("browser"), "jupyterlab>=4", "playwright<1.65")  # later ones ask it what it lacks
    run_in_browser(session, "lab", "--engine=firefox")


@nox.session(python=NEWEST_PYTHON, requires=["build"], default=False)
def browser_all(session: nox.Session) -> None:
    """Look at the wheel in JupyterLab, Notebook 7 and Voila, and take the pictures for the documentation."""
    needs_a_browser(session)
    install_newest(session, *group("browser"), "jupyterlab>=4", "notebook>=7", "voila")
    run_in_browser(session, "lab", "notebook", "voila", f"--screenshots={SCREENSHOTS}")


@nox.session(python=NEWEST_PYTHON, requires=["build"], default=False)
def coverage(session: nox.Session) -> None:
    """Measure which branches the tests take, in their kernels and other children too."""
    install_newest(session, "coverage>=7.10")
    session.env["COVERAGE_RCFILE"] = str(ROOT / "pyproject.toml")
    session.env["COVERAGE_FILE"] = str(session.env_dir.resolve() / "coverage")
    session.run("coverage", "erase")
    run_tests(session, "coverage", "run", "-m", "pytest")
    session.run("coverage", "combine")
    session.run("coverage", "report")


def build_site(session: nox.Session) -> None:
    """Build the documentation into .nox/documentation, strictly."""
    # Not --quiet, which keeps the warnings from the strict mode too. The variable silences news of MkDocs itself.
    session.run("mkdocs", "build", env={"NO_MKDOCS_2_WARNING": "1"})
    session.log(f"open {SITE / 'index.html'}")


def version_of_python(session: nox.Session) -> str:
    """Return the version of the session's Python, such as "3.13"."""
    told = str(session.run("python", "--version", silent=True, log=False))
    return ".".join(told.split()[1].split(".")[:2])


def install_newest(session: nox.Session, *more: str) -> None:
    """Install the newest of everything, and this wheel even where one of the same version is left from the last run."""
    session.install(f"{the_wheel()}[panel]", *group("test"), *more)
    session.install("--force-reinstall", "--no-deps", str(the_wheel()))


def needs_a_browser(session: nox.Session, browser: str = "Chromium", commands: tuple[str, ...] = CHROMIUM) -> None:
    """Leave where there is no browser or no npm: by an error where every change is checked, else as a session skipped.

    A newcomer's first run shall not fail for want of a browser; what reaches the others has been seen in one.
    """
    lacks = []
    if not os.environ.get(browser.upper()) and not any(map(shutil.which, commands)):
        lacks.append(f"{browser} (a package named {commands[0]}, or its path in {browser.upper()})")
    if not shutil.which("npm"):
        lacks.append("npm (a package named npm, or Node.js from nodejs.org)")
    if lacks:
        leave = session.error if os.environ.get("CI") else session.skip
        leave(f"not looked at in a browser: install {' and '.join(lacks)}")


def run_in_browser(session: nox.Session, *arguments: str) -> None:
    """Run the tests of tests/browser in the frontends named, with axe-core at the version that we know."""
    frontends = ",".join(argument for argument in arguments if not argument.startswith("-"))
    options = [argument for argument in arguments if argument.startswith("-")]
    folder = session.env_dir.resolve() / "npm"
    session.run("npm", "install", "--no-save", "--silent", f"--prefix={folder}", f"axe-core@{AXE_CORE}", external=True)
    axe = folder / "node_modules" / "axe-core" / "axe.min.js"
    run_tests(session, "pytest", f"--frontends={frontends}", f"--axe={axe}", *options, folder="tests/browser")


def run_tests(session: nox.Session, *pytest: str, folder: str = "tests") -> None:
    """Run the tests from an empty folder, with a home of their own: they meet the wheel, and nobody's settings.

    Kernels and terminals put the folder they start in on their path; started here they would import the checkout.
    """
    environment = session.env_dir.resolve()
    away = environment / "away"
    shutil.rmtree(away, ignore_errors=True)
    away.mkdir()
    elsewhere = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "PYTHONPATH")
    zig_cache = str(ROOT / ".nox" / ".cache" / "zig")
    session.env.update(dict.fromkeys(elsewhere), HOME=str(away), ZIG_GLOBAL_CACHE_DIR=zig_cache)

    def is_path(argument: str) -> bool:
        return argument.startswith("tests/")

    chosen = [str(ROOT / argument) if is_path(argument) else argument for argument in session.posargs]
    if not any(map(is_path, session.posargs)):
        chosen.append(str(ROOT / folder))
    with session.chdir(away):
        session.run("python", str(TOOLS / "check_package.py"))
        session.run(
            *pytest,
            f"--rootdir={ROOT}",
            f"--config-file={ROOT / 'pyproject.toml'}",
            "--numprocesses=auto",  # PYTEST_XDIST_AUTO_NUM_WORKERS says how many that is
            "--maxprocesses=4",
            "--dist=worksteal",  # tests that start kernels take longest
            *chosen,
        )
