"""What every door needs to take a picture in: intake, spool, capture times, accounts, names."""
