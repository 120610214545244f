// Command parity answers questions with Kubernetes' own code: JSON lines in, one JSON line out for each.
//
//	parity quantity    {"text": "1Gi"} or {"json": 0.5}  ->  accepted, exact amount, texts, order
//	parity pod-totals  a PodSpec                         ->  PodRequests and PodLimits
//	parity yaml        {"text": "a: 010"}                ->  the JSON that kubectl would send
//
// It takes whatever it is given: apimachinery spins for minutes on exponents such as 1e2147483648, and the caller must
// not send any beyond a few hundred.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"os"

	"gopkg.in/inf.v0"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	resourcehelper "k8s.io/component-helpers/resource"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

type quantityQuestion struct {
	Text *string         `json:"text"`
	JSON json.RawMessage `json:"json"`
}

type quantityAnswer struct {
	Accepted bool   `json:"accepted"`
	Error    string `json:"error,omitempty"`
	// Nano is the exact amount in nano-units, as decimal digits.
	Nano string `json:"nano,omitempty"`
	// Text is what the server stores, Canonical what it would print had it forgotten the text.
	Text      string `json:"text,omitempty"`
	Canonical string `json:"canonical,omitempty"`
	Format    string `json:"format,omitempty"`
	// MilliNano is the amount after the round-up to milli that API defaulting does.
	MilliNano string `json:"milliNano,omitempty"`
	// Order compares this amount with the one accepted before it: -1, 0 or 1.
	Order int `json:"order"`
}

// answerQuantities returns a function that remembers the amount accepted before, for the order.
func answerQuantities() func([]byte) (any, error) {
	var previous resource.Quantity
	return func(line []byte) (any, error) {
		var question quantityQuestion
		if err := json.Unmarshal(line, &question); err != nil {
			return nil, err
		}
		quantity, err := read(question)
		if err != nil {
			return quantityAnswer{Error: err.Error()}, nil
		}
		answer := quantityAnswer{Accepted: true, Text: quantity.String(), Format: string(quantity.Format)}
		answer.Order = quantity.Cmp(previous)
		previous = quantity.DeepCopy()
		number, suffix := quantity.CanonicalizeBytes(nil)
		answer.Canonical = string(number) + string(suffix)
		milli := quantity.DeepCopy()
		milli.RoundUp(resource.Milli)
		if answer.MilliNano, err = nano(milli); err != nil {
			return nil, err
		}
		answer.Nano, err = nano(quantity)
		return answer, err
	}
}

func read(question quantityQuestion) (resource.Quantity, error) {
	if question.Text != nil {
		return resource.ParseQuantity(*question.Text)
	}
	// The way of a request body: the API server's own decoder hands the raw value to Quantity.UnmarshalJSON.
	var object struct {
		Amount resource.Quantity `json:"amount"`
	}
	body := fmt.Sprintf(`{"amount":%s}`, question.JSON)
	err := kjson.UnmarshalCaseSensitivePreserveInts([]byte(body), &object)
	return object.Amount, err
}

// nano is the exact amount in nano-units.
func nano(quantity resource.Quantity) (string, error) {
	amount := new(inf.Dec).Mul(quantity.AsDec(), inf.NewDec(1, -9))
	whole := new(inf.Dec).Round(amount, 0, inf.RoundUp)
	if whole.Cmp(amount) != 0 {
		return "", fmt.Errorf("%s is finer than a nano-unit", quantity.AsDec())
	}
	unscaled := new(big.Int).Set(whole.UnscaledBig())
	return unscaled.String(), nil
}

func answerPodTotals(line []byte) (any, error) {
	var pod corev1.Pod
	if err := json.Unmarshal(line, &pod.Spec); err != nil {
		return nil, err
	}
	options := resourcehelper.PodResourcesOptions{}
	requests, err := nanos(resourcehelper.PodRequests(pod.DeepCopy(), options))
	if err != nil {
		return nil, err
	}
	limits, err := nanos(resourcehelper.PodLimits(pod.DeepCopy(), options))
	return map[string]any{"requests": requests, "limits": limits}, err
}

func nanos(list corev1.ResourceList) (map[string]string, error) {
	answer := map[string]string{}
	for name, quantity := range list {
		amount, err := nano(quantity)
		if err != nil {
			return nil, err
		}
		answer[string(name)] = amount
	}
	return answer, nil
}

type yamlAnswer struct {
	JSON  string `json:"json,omitempty"`
	Error string `json:"error,omitempty"`
}

func answerYAML(line []byte) (any, error) {
	var question struct {
		Text string `json:"text"`
	}
	if err := json.Unmarshal(line, &question); err != nil {
		return nil, err
	}
	converted, err := yaml.YAMLToJSON([]byte(question.Text))
	if err != nil {
		return yamlAnswer{Error: err.Error()}, nil
	}
	return yamlAnswer{JSON: string(converted)}, nil
}

func main() {
	answers := map[string]func([]byte) (any, error){
		"quantity":   answerQuantities(),
		"pod-totals": answerPodTotals,
		"yaml":       answerYAML,
	}
	if len(os.Args) != 2 || answers[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: parity quantity|pod-totals|yaml <questions.jsonl >answers.jsonl")
		os.Exit(2)
	}
	if err := run(answers[os.Args[1]]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(answer func([]byte) (any, error)) error {
	input := bufio.NewReaderSize(os.Stdin, 1<<16)
	output := bufio.NewWriter(os.Stdout)
	defer output.Flush()
	encoder := json.NewEncoder(output)
	for number := 1; ; number++ {
		line, err := input.ReadBytes('\n')
		if err == io.EOF && len(line) == 0 {
			return nil
		} else if err != nil && err != io.EOF {
			return err
		}
		reply, err := answer(line)
		if err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		if err := encoder.Encode(reply); err != nil {
			return err
		}
	}
}
