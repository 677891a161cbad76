package s3

import (
	"fmt"
	"net/url"
)

// CheckEndpoint returns an error unless endpoint is https://host or http://host:port.
func CheckEndpoint(endpoint string) error {
	_, err := parseEndpoint(endpoint)
	return err
}

func parseEndpoint(endpoint string) (*url.URL, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.User != nil {
		return nil, fmt.Errorf("endpoint %q is not https://host or http://host:port", endpoint)
	}
	return u, nil
}
