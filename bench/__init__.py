"""Repeatable measurements of Seatcast beside its peers; `python -m bench` prints the tables."""
