"""What the map can show: areas of one level, valued by the services that their authorities offer."""
