"""Google Drive by PyDrive2, within deadlines: the only folder that knows it, and its errors."""

from services.drive.archives.google.client.client import GOOGLE, Client, Item

__all__ = ["GOOGLE", "Client", "Item"]
