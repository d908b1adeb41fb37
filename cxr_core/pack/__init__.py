"""The pack of a paper: page, figures, tables, methods and checklists, all made of one document and nothing else."""
