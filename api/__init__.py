"""What people and programs see: an HTTP api and server-rendered pages. See README.md."""
