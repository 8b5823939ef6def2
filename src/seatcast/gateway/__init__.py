"""The gateway: holds the WebSocket connections and shows every one of them the newest seats."""
