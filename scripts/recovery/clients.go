package recovery

import (
	"time"

	"github.com/halfopen-lab/halfopen/fixtures/conversation"
	"github.com/halfopen-lab/halfopen/scenarios/audit"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// client is a program that connects again, and what its documentation says of that.
type client struct {
	name       string // of the row
	request    audit.Request
	documented string // with its source
}

// watch is how long each fault is watched: enough for all clients to work again.
const watch = 40 * time.Minute

// pairOf returns the request of a client of fixtures/clients, in Go, and its server.
func pairOf(program, what string) audit.Request {
	return audit.Request{
		Server: audit.Program{Command: built + "/" + program + " serve :5000"}, Client: audit.Program{Command: built + "/" + program + " " + what + " {server}:{port}"},
		UnderTest: answer.Client, Port: 5000,
	}
}

// spoken returns the request of a client whose server is a fixture that speaks its protocol.
func spoken(like string, port uint16, command string, packages ...string) audit.Request {
	return audit.Request{Client: audit.Program{Command: command}, Port: port, Setup: audit.Setup{Packages: packages}, Conversation: conversation.Conversation{Like: like}}
}

// clients are the programs of the table.
var clients = []client{
	{"redis-py, a command each 5 s", spoken("redis", 6379, "/usr/bin/python3 fixtures/clients/redis_python.py {server} {port}", "python3-redis"),
		"`socket_timeout` None, `socket_keepalive` None, no retries: a command fails, and the next one connects ([redis-py 4.3](https://redis-py.readthedocs.io/en/v4.3.4/connections.html))"},
	{"node-redis, a command each 5 s", spoken("redis", 6379, "sh -c 'NODE_PATH=/usr/share/nodejs exec node fixtures/clients/redis_node.js {server} {port}'", "node-redis", "nodejs"),
		"`keepAlive` 5000 ms; `reconnectStrategy`: `Math.min(retries * 50, 500)` ms ([node-redis 4](https://github.com/redis/node-redis/blob/redis%404.5.1/docs/client-configuration.md))"},
	{"mosquitto_sub", spoken("mqtt", 1883, "mosquitto_sub -h {server} -p {port} -t topic", "mosquitto-clients"),
		"a PINGREQ each 60 s; connects again each second (mosquitto_sub(1), `mosquitto_loop_forever`: [mosquitto_reconnect_delay_set](https://mosquitto.org/api/files/mosquitto-h.html#mosquitto_reconnect_delay_set))"},
	{"paho-mqtt of Python", spoken("mqtt", 1883, "/usr/bin/python3 fixtures/clients/mqtt_python.py {server} {port}", "python3-paho-mqtt"),
		"`keepalive` 60; `reconnect_delay_set(min_delay=1, max_delay=120)`: doubled each time ([paho 1.6](https://eclipse.dev/paho/files/paho.mqtt.python/html/client.html))"},
	{"psycopg-pool of two, a query each 5 s", audit.Request{
		Server:    audit.Program{Command: "/usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/15/main -c config_file=/etc/postgresql/15/main/postgresql.conf", Setup: audit.Setup{Packages: []string{"postgresql-15"}, User: "postgres", Files: map[string]audit.Content{"/etc/postgresql/15/main/pg_hba.conf": {File: "scripts/installed/pg_hba.conf"}}}},
		Client:    audit.Program{Command: "/usr/bin/python3 fixtures/clients/postgresql_pool.py {server} {port}", Setup: audit.Setup{Packages: []string{"python3-psycopg", "python3-psycopg-pool"}}},
		UnderTest: answer.Client, Port: 5432},
		"keepalive as the system has it; `reconnect_timeout` 300 s, the wait doubled from 1 s with jitter ([psycopg_pool](https://www.psycopg.org/psycopg3/docs/api/pool.html))"},
	{"gRPC of Go, a call each 10 s", pairOf("grpc", "call"),
		"no pings; back-off 1 s, times 1.6, jitter 20 %, at most 120 s ([gRPC](https://github.com/grpc/grpc/blob/master/doc/connection-backoff.md))"},
	{"gRPC of Go, keepalive 10 s and 5 s", pairOf("grpc", "call-keepalive"),
		"`Time` 10 s, `Timeout` 5 s, which is the user timeout as well ([keepalive](https://pkg.go.dev/google.golang.org/grpc/keepalive#ClientParameters), [A18](https://github.com/grpc/proposal/blob/master/A18-tcp-user-timeout.md)); back-off as above, an attempt lasts 20 s at least"},
	{"HTTP/2 of Go, a request each 10 s", pairOf("http2", "get"),
		"no pings; keepalive 15/15/9 ([net.KeepAliveConfig](https://pkg.go.dev/net#KeepAliveConfig))"},
	{"HTTP/2 of Go, pings", pairOf("http2", "get-pings"),
		"`SendPingTimeout` 10 s, `PingTimeout` 5 s ([HTTP2Config](https://pkg.go.dev/net/http#HTTP2Config))"},
}
