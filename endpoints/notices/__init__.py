"""Mail and webhooks that leave the portal: an outbox in the database, delivered afterwards and tried again."""
