"""Accounts: what an entry does to an account, by pure arithmetic. No store, no clock; amounts are whole numbers of the
smallest unit."""
