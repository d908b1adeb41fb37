"""The commands of the command line, grouped by what they are about; `cxr_core.cli` lists and runs them."""
