package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

// serve shows a directory of reports to browsers on this machine until ctx ends.
func serve(ctx context.Context, to io.Writer, directory string) (err error) {
	root, err := os.OpenRoot(directory) // links in it lead nowhere else
	if err != nil {
		return fmt.Errorf("serving the reports: %w", err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("serving the reports: %w", err)
	}
	address := listener.Addr().String()
	server := &http.Server{Handler: onlyFor(address, http.FileServerFS(root.FS())), ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if _, err := fmt.Fprintf(to, "The reports in %s are at http://%s/ until you interrupt this (Ctrl-C).\n", directory, address); err != nil {
		return errors.Join(err, listener.Close())
	}
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving the reports: %w", err)
	}
	return nil
}

// onlyFor answers requests for an address, and refuses those for another name: a web site whose
// name leads to this machine could read the reports otherwise (DNS rebinding).
func onlyFor(address string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != address {
			http.Error(w, "this is for http://"+address+"/", http.StatusForbidden)
			return
		}
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:")
		next.ServeHTTP(w, r)
	})
}
