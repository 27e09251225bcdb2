package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metricsAddress reads the value of --metrics. What names no host means
// loopback: figures of a site are nobody's business by accident.
func metricsAddress(value string) (string, error) {
	given := value
	if !strings.Contains(value, ":") {
		value = ":" + value
	}
	host, port, err := net.SplitHostPort(value)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return "", usageError{fmt.Errorf("--metrics is a port, such as 9187, or host:port, not %q", given)}
	}
	return net.JoinHostPort(cmp.Or(host, "127.0.0.1"), port), nil
}

// metrics serves the figures of a run to Prometheus, while the program runs.
type metrics struct {
	listener net.Listener
	server   *http.Server
	figures  *figures
}

// startMetrics takes the port and begins to serve.
func startMetrics(ctx context.Context, value string) (*metrics, error) {
	address, err := metricsAddress(value)
	if err != nil {
		return nil, err
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, usageError{fmt.Errorf("--metrics: %w; choose another port, or leave the flag out", err)}
	}
	m := &metrics{listener: listener, figures: newFigures()}
	registry := prometheus.NewRegistry()
	registry.MustRegister(m.figures, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), buildInfo())
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	// A client that is slow to ask, or to read, is cut off.
	m.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second, MaxHeaderBytes: 64 << 10}
	go func() {
		// Serve returns when close is called: that is no error, and another one
		// is no reason to stop a migration.
		_ = m.server.Serve(listener)
	}()
	return m, nil
}

// url is where the figures are.
func (m *metrics) url() string { return "http://" + m.listener.Addr().String() + "/metrics" }

// show gives the figures of a run.
func (m *metrics) show(tr *tracker) { m.figures.tracker.Store(tr) }

// close stops serving; an answer under way may end.
func (m *metrics) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := m.server.Shutdown(ctx); err != nil {
		return errors.Join(err, m.server.Close())
	}
	return nil
}

// buildInfo says which moodledb it is.
func buildInfo() prometheus.Collector {
	release, commit := buildVersion()
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "moodledb_build_info",
		Help: "The version of moodledb, as labels; the value is always 1.",
		ConstLabels: prometheus.Labels{
			"version": cmp.Or(release, "(devel)"), "commit": commit, "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH,
		},
	}, func() float64 { return 1 })
}

// figures are read from the tracker when somebody asks.
type figures struct {
	tracker atomic.Pointer[tracker]
	list    []figure
	run     *prometheus.Desc
	tables  []tableFigure
}
