"""An API as the stack sees it: answers 200 on /api/v1/health at the address that the settings name."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from settings import load_settings


class Health(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/api/v1/health" else 404)
        self.end_headers()


if __name__ == "__main__":
    settings = load_settings()
    ThreadingHTTPServer((settings.api_host, settings.api_port), Health).serve_forever()
