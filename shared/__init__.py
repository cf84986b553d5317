"""What every service is built from: truth (store, journal, intake) and transport (broker, bus)."""
