package postgres

// Stale is how long a session may lie idle before it is tried out.
const Stale = stale
