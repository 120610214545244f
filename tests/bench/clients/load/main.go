// Posts bodies in turn through a few kept-alive TLS connections, and counts: a client cheap enough that the server on
// the other core is always the slower one. It says how busy it was, so that this can be checked.
//
// Every connection waits for its answer before it asks again, as the API server's do. Prints one JSON object.
package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net/url"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

type result struct {
	Reviews  int     `json:"reviews"`
	Failed   int     `json:"failed"`
	Seconds  float64 `json:"seconds"`
	P50      float64 `json:"p50_ms"`
	P99      float64 `json:"p99_ms"`
	Busy     float64 `json:"client_cores"`
	Sample   string  `json:"sample"`
	FirstBad string  `json:"first_failure,omitempty"`
}

func main() {
	target := flag.String("url", "", "https://host:port/path")
	ca := flag.String("ca", "", "PEM file to trust")
	bodyFile := flag.String("bodies", "", "what to post, one body on each line")
	connections := flag.Int("connections", 16, "how many at once")
	duration := flag.Duration("duration", 3*time.Second, "how long to count")
	warmup := flag.Duration("warmup", 500*time.Millisecond, "how long not to count, before")
	flag.Parse()

	where, err := url.Parse(*target)
	check(err)
	lines, err := os.ReadFile(*bodyFile)
	check(err)
	roots := x509.NewCertPool()
	pem, err := os.ReadFile(*ca)
	check(err)
	roots.AppendCertsFromPEM(pem)

	// The headers that the API server sends.
	var requests [][]byte
	for body := range bytes.Lines(lines) {
		body = bytes.TrimSpace(body)
		requests = append(requests, fmt.Appendf(nil, "POST %s?timeout=10s HTTP/1.1\r\nHost: %s\r\n"+
			"User-Agent: kube-apiserver-admission\r\nContent-Length: %d\r\nAccept: application/json, */*\r\n"+
			"Content-Type: application/json\r\nAccept-Encoding: gzip\r\n\r\n%s", where.Path, where.Host, len(body), body))
	}
	var next atomic.Int64

	var (
		lock      sync.Mutex
		all       result
		latencies []time.Duration
		running   sync.WaitGroup
	)
	start := time.Now().Add(*warmup)
	end := start.Add(*duration)
	var before syscall.Rusage
	time.AfterFunc(*warmup, func() { check(syscall.Getrusage(syscall.RUSAGE_SELF, &before)) })
	for range *connections {
		running.Go(func() {
			mine := make([]time.Duration, 0, 1<<16)
			failed, firstBad, sample := 0, "", ""
			connection, err := tls.Dial("tcp", where.Host, &tls.Config{RootCAs: roots, ServerName: where.Hostname()})
			check(err)
			defer connection.Close()
			reader := bufio.NewReaderSize(connection, 64<<10)
			for {
				asked := time.Now()
				if asked.After(end) {
					break
				}
				_, err := connection.Write(requests[int(next.Add(1))%len(requests)])
				check(err)
				status, answer, err := read(reader)
				check(err)
				answered := time.Now()
				if asked.Before(start) || answered.After(end) {
					continue
				}
				if status != 200 {
					failed++
					firstBad = fmt.Sprintf("%d %.200s", status, answer)
				}
				if sample == "" {
					sample = string(answer)
				}
				mine = append(mine, answered.Sub(asked))
			}
			lock.Lock()
			defer lock.Unlock()
			latencies = append(latencies, mine...)
			all.Failed += failed
			if firstBad != "" {
				all.FirstBad = firstBad
			}
			all.Sample = sample
		})
	}
	running.Wait()
	var after syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &after))

	slices.Sort(latencies)
	all.Reviews, all.Seconds = len(latencies), duration.Seconds()
	if len(latencies) > 0 {
		all.P50 = milliseconds(latencies[len(latencies)/2])
		all.P99 = milliseconds(latencies[len(latencies)*99/100])
	}
	all.Busy = (seconds(after) - seconds(before)) / duration.Seconds()
	check(json.NewEncoder(os.Stdout).Encode(all))
}

// read answers status and body of one response with a Content-Length; nothing else is expected of a webhook.
func read(reader *bufio.Reader) (int, []byte, error) {
	line, err := reader.ReadSlice('\n')
	if err != nil {
		return 0, nil, err
	}
	if len(line) < 12 {
		return 0, nil, fmt.Errorf("no status line: %q", line)
	}
	status, err := strconv.Atoi(string(line[9:12]))
	if err != nil {
		return 0, nil, err
	}
	length := -1
	for {
		line, err = reader.ReadSlice('\n')
		if err != nil {
			return 0, nil, err
		}
		name, value, found := bytes.Cut(line, []byte(":"))
		if !found {
			break
		}
		if bytes.EqualFold(name, []byte("content-length")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return 0, nil, err
			}
		}
	}
	if length < 0 {
		return 0, nil, fmt.Errorf("an answer without Content-Length")
	}
	body := make([]byte, length)
	_, err = io.ReadFull(reader, body)
	return status, body, err
}

func seconds(usage syscall.Rusage) float64 {
	return float64(usage.Utime.Sec+usage.Stime.Sec) + float64(usage.Utime.Usec+usage.Stime.Usec)/1e6
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
