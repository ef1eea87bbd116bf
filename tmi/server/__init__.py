"""How an instance serves: one parent that holds the socket and the engines, web processes behind it."""
