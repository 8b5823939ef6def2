"""The database's history, run by `migrate` at every start and by `seatcast migrate`."""
