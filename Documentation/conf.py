# SPDX-License-Identifier: GPL-2.0
#
# Sphinx configuration. Documentation/build runs Sphinx on a copy of this folder to which it has added generated/.

project = "nvmq"
extensions = []
primary_domain = "c"
c_id_attributes = ["__iomem", "__user", "__always_inline", "__init", "__exit"]
highlight_language = "none"
html_theme = "alabaster"
html_theme_options = {
    "description": "An NVMe PCI block driver for Linux with queue plans",
    "fixed_sidebar": True,
    "page_width": "1100px",
}
html_show_copyright = False
html_show_sphinx = False
html_copy_source = False
html_sidebars = {"**": ["about.html", "navigation.html", "searchbox.html"]}
