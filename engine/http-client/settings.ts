/** How to reach a server that wants more than an address: Prometheus' HTTP client settings, as data. */

/** A text from the configuration, or a file that is read each time the text is needed. */
export type TextSource = { readonly text: string } | { readonly file: string };

export type Credentials =
  | { readonly kind: 'basic'; readonly username: TextSource; readonly password: TextSource }
  /** `Authorization: <scheme> <credentials>`. */
  | { readonly kind: 'token'; readonly scheme: string; readonly token: TextSource };

export const TLS_VERSIONS = {
  TLS10: 'TLSv1',
  TLS11: 'TLSv1.1',
  TLS12: 'TLSv1.2',
  TLS13: 'TLSv1.3',
} as const;

export type TlsVersion = (typeof TLS_VERSIONS)[keyof typeof TLS_VERSIONS];

export interface TlsSettings {
  /** Certificate authorities in PEM form; the system's when undefined. */
  readonly ca?: TextSource;
  /** Certificate and key of the client, in PEM form. */
  readonly cert?: TextSource;
  readonly key?: TextSource;
  /** The name to expect in the server's certificate; the host of the URL when undefined. */
  readonly serverName?: string;
  readonly minVersion?: TlsVersion;
  readonly maxVersion?: TlsVersion;
  readonly skipsVerification: boolean;
}

export interface HttpClientSettings {
  readonly credentials: Credentials | undefined;
  readonly tls: TlsSettings;
  readonly followsRedirects: boolean;
}

/** A server that wants nothing: no credentials, the system's certificate authorities, no redirects. */
export const PLAIN_HTTP: HttpClientSettings = {
  credentials: undefined,
  tls: { skipsVerification: false },
  followsRedirects: false,
};
