// Package orders has two HTTP clients of a shop that try again when an order fails, and the shop.
// It knows nothing of halfopen: its tests do.
package orders

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

// attempts is how often a client tries.
const attempts = 3

// Hasty posts an order again when it has failed. It cannot know whether the shop has it already.
type Hasty struct {
	URL  string
	HTTP *http.Client
}

// Order orders an item.
func (c Hasty) Order(item string) error { return post(c.HTTP, c.URL, item, "") }

// Careful gives each order a key by which the shop knows it again.
type Careful struct {
	URL  string
	HTTP *http.Client
}

// Order orders an item.
func (c Careful) Order(item string) error { return post(c.HTTP, c.URL, item, rand.Text()) }

// post posts an order until the shop has answered.
func post(client *http.Client, url, item, key string) (err error) {
	for range attempts {
		request, _ := http.NewRequest(http.MethodPost, url, strings.NewReader(item))
		request.Header.Set("Idempotency-Key", key)
		var response *http.Response
		if response, err = client.Do(request); err != nil {
			continue
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if response.StatusCode == http.StatusCreated {
			return nil
		}
		err = fmt.Errorf("ordering %s: %s", item, response.Status)
	}
	return err
}

// Shop takes orders. The zero value is an empty shop.
type Shop struct {
	mu    sync.Mutex
	keys  map[string]bool
	items map[string]int
}

// ServeHTTP takes an order, unless it has one with the same key.
func (s *Shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	item, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client is gone
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.items == nil {
		s.keys, s.items = map[string]bool{}, map[string]int{}
	}
	if key := r.Header.Get("Idempotency-Key"); key == "" || !s.keys[key] {
		s.keys[key] = true
		s.items[string(item)]++
	}
	w.WriteHeader(http.StatusCreated)
}

// Ordered returns how often an item was ordered.
func (s *Shop) Ordered(item string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.items[item]
}
