# Varnish as a reverse proxy: passes, and caches below /cached.
vcl 4.1;
backend origin {
  .host = "127.0.0.1";
  .port = "{{ORIGIN_PORT}}";
}
sub vcl_recv {
  if (req.url ~ "^/cached/") {
    return (hash);
  }
  return (pass);
}
sub vcl_backend_response {
  set beresp.ttl = 1h;
}
