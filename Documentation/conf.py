# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Sphinx configuration: the kernel's own directives, over this tree's files."""

import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# kernel-doc and its directive are not copied here: a kernel's source has them.
SOURCE = os.environ.get("KFABRIC_KERNEL_SOURCE") or subprocess.check_output(
    [os.path.join(TOP, "scripts", "kernel"), "source"], text=True
).strip()
os.environ["srctree"] = SOURCE
sys.path.insert(0, os.path.join(SOURCE, "Documentation", "sphinx"))

project = "kfabric"
copyright = "the kfabric authors, GPL-2.0 OR BSD-2-Clause"

import kernel_abi  # pylint: disable=wrong-import-position,import-error

extensions = ["kerneldoc", "kernel_abi", "parser_yaml"]
kerneldoc_srctree = TOP
kernel_abi.path = os.path.join(TOP, "Documentation", "ABI")
source_suffix = {".rst": "restructuredtext", ".yaml": "yaml"}

exclude_patterns = ["_build"]
primary_domain = "c"
highlight_language = "none"

html_theme = "alabaster"
html_theme_options = {"page_width": "65em", "sidebar_width": "15em"}
html_show_sourcelink = False
