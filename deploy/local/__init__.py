"""The whole of Dueward on one machine: embedded PostgreSQL and broker, the four services, a replayed ledger."""
