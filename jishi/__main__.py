"""`python -m jishi`."""

from jishi.cli import main

main()
