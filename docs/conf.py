"""Sphinx configuration of the documentation site: ``sphinx-build -W docs build/site``."""

from __future__ import annotations

import importlib.util
import sys
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent))

from docutils import nodes
from site_pages.command_help import examples_as_code
from site_pages.write import write_generated_pages

if TYPE_CHECKING:
    from sphinx.application import Sphinx

HERE = Path(__file__).parent

project = "optbench"
author = "The optbench authors"
copyright = "The optbench authors"  # noqa: A001  (the name that Sphinx reads)
release = installed_version("optbench")
version = release

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "sphinx_copybutton",
    "site_pages.mathml",
]
root_doc = "index"
language = "en"
smartquotes = False  # options keep both of their hyphens, and examples their quotes
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = f"optbench {release}"
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_extra_path = ["generated/pages"]  # the interactive leaderboards
html_copy_source = False
html_show_sphinx = False

myst_enable_extensions = ["dollarmath", "colon_fence", "deflist", "attrs_inline"]
myst_heading_anchors = 4
nb_execution_in_temp = True  # what they write stays out of the sources
nb_execution_mode = "cache"  # notebooks are executed when they change
nb_execution_timeout = 600
nb_execution_raise_on_error = True
if importlib.util.find_spec("optbench_torch") is None:  # shown without what its cells print
    nb_execution_excludepatterns = ["notebooks/pytorch-class.ipynb"]

copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True

python_maximum_signature_line_length = 88
default_role = "py:obj"

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "show-inheritance": True}
napoleon_google_docstring = True
napoleon_use_rtype = False


def dash_parameters(app: Sphinx, doctree: nodes.document) -> None:
    """Set a dash between a parameter and its description, where Sphinx has two hyphens."""
    for node in list(doctree.findall(nodes.Text)):
        if node.astext() == " -- ":
            node.parent.replace(node, nodes.Text(" \N{EN DASH} "))


def setup(app: Sphinx) -> None:
    """Write the generated pages before Sphinx looks for sources, and mend what extensions make."""
    app.connect("config-inited", lambda app, config: write_generated_pages(HERE))
    app.connect("sphinx-click-process-description", examples_as_code)
    app.connect("sphinx-click-process-epilog", examples_as_code)
    app.connect("doctree-read", dash_parameters)
