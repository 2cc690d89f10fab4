"""PostgreSQL and MariaDB: connections, and commits beside other nodes."""
