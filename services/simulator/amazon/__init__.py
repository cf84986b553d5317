"""What a simulated Amazon offers."""
