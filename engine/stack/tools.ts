/** The programs that this project starts or tests against but does not ship: one row is one tool. */

export interface Program {
  readonly name: string;
  /** Names that distributions give the same program. */
  readonly alsoNamed?: readonly string[];
}

/** A pinned official release: a tar.gz whose bytes are known before they are fetched. */
export interface Release {
  /** Repository under the project's organisation, and the first word of its file names. */
  readonly repository: string;
  readonly version: string;
  /** SHA-256 of the archive by platform (`linux-amd64`); a platform without one has no verified release. */
  readonly sha256: Readonly<Record<string, string>>;
}

export interface Tool {
  readonly title: string;
  /** The program whose version counts. */
  readonly main: Program;
  /** Programs that must come with it. */
  readonly companions: readonly Program[];
  readonly minimumVersion: string;
  readonly versionArguments: readonly string[];
  /** Where distributions put it outside of an ordinary user's PATH. */
  readonly systemDirectories?: readonly string[];
  readonly debianPackages: readonly string[];
  readonly release?: Release;
}

// Each checksum was compared in at least two independent public places: OpenStack Kolla's pinned sources, boxcutter's
// container recipes, the ansible roles and CI pins of unrelated projects. No second source was found for Prometheus on macOS.
export const TOOLS = {
  prometheus: {
    title: 'Prometheus',
    main: { name: 'prometheus' },
    companions: [{ name: 'promtool' }],
    minimumVersion: '2.42.0',
    versionArguments: ['--version'],
    debianPackages: ['prometheus'],
    release: {
      repository: 'prometheus',
      version: '3.5.0',
      sha256: {
        'linux-amd64': 'e811827af26d822afb09a4f28314f61b618b12cff5369835a67f674d8b46f39a',
        'linux-arm64': '173389cc42bf09c4e6e54cb53fa07a5a835d7c261e14775d2183181d6e385d1c',
      },
    },
  },
  alertmanager: {
    title: 'Alertmanager',
    main: { name: 'alertmanager', alsoNamed: ['prometheus-alertmanager'] },
    companions: [{ name: 'amtool' }],
    minimumVersion: '0.25.0',
    versionArguments: ['--version'],
    debianPackages: ['prometheus-alertmanager'],
    release: {
      repository: 'alertmanager',
      version: '0.28.1',
      sha256: {
        'linux-amd64': '5ac7ab5e4b8ee5ce4d8fb0988f9cb275efcc3f181b4b408179fafee121693311',
        'linux-arm64': 'd8832540e5b9f613d2fd759e31d603173b9c61cc7bb5e3bc7ae2f12038b1ce4f',
        'darwin-arm64': '6ad077f9de99fe96843a68313f19dd2dbc1e8929135293e48bb10824bd6b4df4',
      },
    },
  },
  caddy: {
    title: 'Caddy',
    main: { name: 'caddy' },
    companions: [],
    minimumVersion: '2.6.0',
    versionArguments: ['version'],
    debianPackages: ['caddy'],
  },
  nginx: {
    title: 'nginx',
    main: { name: 'nginx' },
    companions: [],
    minimumVersion: '1.18.0',
    versionArguments: ['-v'],
    systemDirectories: ['/usr/sbin', '/usr/local/sbin'],
    debianPackages: ['nginx'],
  },
} as const satisfies Record<string, Tool>;

export type ToolName = keyof typeof TOOLS;

/** The row of a tool, without the literal types of the table. */
export function toolNamed(name: ToolName): Tool {
  return TOOLS[name];
}
