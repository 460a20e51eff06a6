// Package shop is an HTTP client and a server, as anybody has them. It knows nothing of
// halfopen: its tests do.
package shop

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// Client sends orders to a shop, over one connection that it keeps.
type Client struct {
	URL  string
	HTTP *http.Client
}

// Order orders an item.
func (c *Client) Order(item string) error {
	response, err := c.HTTP.Post(c.URL, "text/plain", strings.NewReader(item))
	if err != nil {
		return fmt.Errorf("ordering %s: %w", item, err)
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return fmt.Errorf("ordering %s: %w", item, err)
	}
	if response.StatusCode != http.StatusCreated {
		return fmt.Errorf("ordering %s: %s", item, response.Status)
	}
	return nil
}

// NewServer returns a server that accepts orders. It leaves TCP keepalive to its clients.
func NewServer() *http.Server {
	return &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(http.StatusCreated)
		}),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			if tcp, ok := c.(*net.TCPConn); ok {
				_ = tcp.SetKeepAlive(false)
			}
			return ctx
		},
	}
}
