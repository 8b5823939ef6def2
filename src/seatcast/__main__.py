"""`python -m seatcast` is `seatcast`."""

from seatcast.cli import main

main()
