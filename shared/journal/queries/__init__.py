"""Read-only questions to the journal, one file for each subject."""
