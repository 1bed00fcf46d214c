"""The drivers' pages: what a QR code on a charger opens, and what a driver has of it afterwards."""
