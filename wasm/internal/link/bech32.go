package link

import "strings"

// age has no public constructor of an X25519 identity from its 32 bytes, only from its text, which is Bech32 (BIP 173).

const (
	identityPrefix = "age-secret-key-"
	bech32Charset  = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
)

// encodeIdentity spells an X25519 secret key as age does: Bech32 in capitals.
func encodeIdentity(key []byte) string {
	words := regroup(key)
	var b strings.Builder
	b.WriteString(identityPrefix)
	b.WriteByte('1')
	for _, w := range append(words, checksum(words)...) {
		b.WriteByte(bech32Charset[w])
	}
	return strings.ToUpper(b.String())
}

// regroup turns bytes into words of five bits, the last one filled up with zeros.
func regroup(data []byte) []byte {
	var words []byte
	var acc uint32
	var bits int
	for _, b := range data {
		acc = acc<<8 | uint32(b)
		for bits += 8; bits >= 5; bits -= 5 {
			words = append(words, byte(acc>>(bits-5))&31)
		}
	}
	if bits > 0 {
		words = append(words, byte(acc<<(5-bits))&31)
	}
	return words
}

func checksum(words []byte) []byte {
	var values []byte
	for _, c := range []byte(identityPrefix) {
		values = append(values, c>>5)
	}
	values = append(values, 0)
	for _, c := range []byte(identityPrefix) {
		values = append(values, c&31)
	}
	values = append(append(values, words...), make([]byte, 6)...)
	sum := polymod(values) ^ 1
	out := make([]byte, 6)
	for i := range out {
		out[i] = byte(sum>>(5*(5-i))) & 31
	}
	return out
}

func polymod(values []byte) uint32 {
	sum := uint32(1)
	for _, v := range values {
		top := sum >> 25
		sum = sum&0x1ffffff<<5 ^ uint32(v)
		for i, g := range [5]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
			if top>>i&1 == 1 {
				sum ^= g
			}
		}
	}
	return sum
}
