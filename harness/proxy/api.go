package proxy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// call sends one request to toxiproxy's API, and decodes the answer into out unless that
// is nil. The caller holds p.mu. call kills a toxiproxy that does not answer in time: it
// never will (see Route.AddLive).
func (p *Proxy) call(method, path string, in, out any) error {
	if p.lost != nil {
		return p.lost
	}
	status, answer, err := p.exchange(method, path, in)
	if err != nil {
		p.lost = p.explain(err, method+" "+path)
		return p.lost
	}
	if status >= 300 {
		return refusal(answer)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("toxiproxy's answer to %s %s: %w", method, path, err)
	}
	return nil
}

func (p *Proxy) exchange(method, path string, in any) (status int, answer []byte, err error) {
	var body bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&body).Encode(in); err != nil {
			return 0, nil, err
		}
	}
	request, err := http.NewRequest(method, "http://toxiproxy"+path, &body)
	if err != nil {
		return 0, nil, err
	}
	if err := p.api.SetDeadline(time.Now().Add(p.patience)); err != nil {
		return 0, nil, err
	}
	if err := request.Write(p.api); err != nil {
		return 0, nil, err
	}
	response, err := http.ReadResponse(p.answer, request)
	if err != nil {
		return 0, nil, err
	}
	answer, err = io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

// explain ends a toxiproxy that did not answer, and returns what happened to it.
func (p *Proxy) explain(err error, request string) error {
	ended := p.Kill()
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("toxiproxy in %s did not answer %s within %v and was killed: it deadlocks when toxics change on a live connection whose receiver does not read, and waits while it dials an upstream that does not answer: Start another", p.namespace, request, p.patience)
	case ended != nil:
		return fmt.Errorf("%s: %w", request, ended)
	}
	return fmt.Errorf("%s: toxiproxy in %s was killed: Start another", request, p.namespace)
}

// remedies has what the user can do about errors of the kernel, which toxiproxy passes on
// as text.
var remedies = []struct {
	errno  unix.Errno
	remedy string
}{
	{unix.EADDRINUSE, "another route or program listens there, choose another port"},
	{unix.EADDRNOTAVAIL, "no link in the proxy's namespace has that address"},
	{unix.EACCES, "ports below net.ipv4.ip_unprivileged_port_start need CAP_NET_BIND_SERVICE"},
}

// refusal makes an error of an answer in which toxiproxy refuses the request.
func refusal(answer []byte) error {
	var message struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(answer, &message) != nil || message.Error == "" {
		return fmt.Errorf("toxiproxy refused: %q", answer)
	}
	for _, r := range remedies {
		if strings.HasSuffix(message.Error, r.errno.Error()) {
			return fmt.Errorf("%s%w: %s", strings.TrimSuffix(message.Error, r.errno.Error()), r.errno, r.remedy)
		}
	}
	return fmt.Errorf("toxiproxy refused: %s", message.Error)
}
