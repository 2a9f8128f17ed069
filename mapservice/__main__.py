"""`python -m mapservice`, which works from folders whose names the console script cannot carry."""

from mapservice.cli import main

main()
