"""Pictures that are sent to the API: raw, as a form, or as JSON; all by the door ``http``."""
