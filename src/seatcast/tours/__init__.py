"""The tour service: tours, bookings, the database, the outbox and the REST API."""
