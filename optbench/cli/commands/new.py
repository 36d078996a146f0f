"""``optbench new``."""

from __future__ import annotations

import keyword
import re
import shlex
from pathlib import Path
from string import Template

import click

import optbench
from optbench.cli import templates
from optbench.cli.options import Place
from optbench.cli.output import say
from optbench.errors import ConfigError
from optbench.registry.declared_values import LONGEST_NAME, is_name

KINDS = ("optimizer", "initializer", "dataset")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)$")
"""Names that Windows reserves, with any suffix."""


@click.command("new")
@click.argument("kind", type=click.Choice(KINDS), metavar=f"[{'|'.join(KINDS)}]")
@click.argument("name")
@click.option("--single-file", is_flag=True, help="One file for --plugin, instead of a package.")
@click.option("--stepper", is_flag=True, help="An optimizer that sees whole arrays, not a formula.")
@click.option("--out", type=Place(), default=Path(), help="Folder to write it to.")
def command(kind: str, name: str, single_file: bool, stepper: bool, out: Path) -> None:
    """Start a plugin of your own: a package that installs, works and passes its own tests.

    NAME is the name of the plugin on the command line, in kebab-case. The package contains the
    plugin (a dozen lines to change), a test that runs every conformance check on it, and a README.

    \b
    Examples:
      optbench new optimizer mine
      optbench new optimizer mine --single-file
      optbench new optimizer by-layer --stepper
      optbench new initializer wide-normal --out plugins
    """
    if stepper and kind != "optimizer":
        raise click.UsageError(f"--stepper is for optimizers; {name} is to be a {kind}")
    words = _words(kind, name, single_file)
    body = templates.PLUGIN["stepper" if stepper else kind]
    if single_file:
        path = out / f"{words['module']}.py"
        files = {path: body}
    else:
        path = out / words["dist"]
        files = {
            path / f"{words['module']}.py": body,
            path / "pyproject.toml": templates.PYPROJECT,
            path / "README.md": templates.README,
            path / "tests" / f"test_{words['module']}.py": templates.TEST,
        }
    if path.exists():
        raise ConfigError(f"{path} exists already; choose another name or another --out")
    if single_file:
        words |= {"target": shlex.quote(str(path)), "load": f" --plugin {shlex.quote(str(path))}"}
    words["commands"] = Template(templates.COMMANDS[kind]).substitute(words)
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(Template(text).substitute(words), encoding="utf-8")
        say(f"wrote {file}")
    say()
    say("Next:")
    if not single_file:
        folder = str(path) if path.is_absolute() else f"./{path}"
        say(f"  pip install {shlex.quote(folder)}")
    for line in words["commands"].splitlines():
        say(f"  {line}")


def _words(kind: str, name: str, single_file: bool) -> dict[str, str]:
    """Return the values of the placeholders in the templates.

    Raises:
        ConfigError: The name is not in kebab-case, or is already registered.
    """
    if not is_name(name) or ":" in name or not name[0].isalpha():
        raise ConfigError(
            f"'{name}' is not a name in kebab-case that begins with a letter, as in 'my-{kind}', "
            f"of at most {LONGEST_NAME} letters"
        )
    from optbench.registry import default_registry

    registry = default_registry()
    if conflict := registry.conflict(f"{kind}s", name):
        raise ConfigError(f"the name '{name}' is taken: {conflict}")
    if name in registry.entries(f"{kind}s"):
        raise ConfigError(
            f"the name '{name}' is taken by {registry.entry(f'{kind}s', name).distribution}; "
            "choose another"
        )
    cls = "".join(part.capitalize() for part in name.split("-"))
    if keyword.iskeyword(cls) or cls in optbench.__all__:
        cls = f"My{cls}"
    snake = name.replace("-", "_")
    if single_file and (keyword.iskeyword(snake) or snake == "optbench" or _RESERVED.match(name)):
        snake = f"my_{snake}"
    # The optimizer with the shortest name is probably the simplest; no name is hard-coded here.
    rival = min(registry.entries("optimizers"), key=lambda other: (len(other), other), default=name)
    return {
        "name": name,
        "cls": cls,
        "dist": f"optbench-{name}",
        "module": snake if single_file else f"optbench_{snake}",
        "a_kind": f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}",
        "rival": rival,
        "target": name,
        "load": "",
    }
