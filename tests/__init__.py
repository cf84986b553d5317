"""What proves the promises: unit, contract, integration, e2e, chaos, bench and repo tests."""
