"""Seatcast: live availability for tours that you can trust to the seat."""

__version__ = "0.1.0"
