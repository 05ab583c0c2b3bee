/** Functions on texts, links and addresses. */
import { isIP } from 'node:net';
import { toLowerCase, toUpperCase } from '../../text/letter-case.ts';
import { messageOf } from '../../text/message-of.ts';
import { FunctionError, type FunctionTable, ofText, type Scope, text } from './function.ts';
import { canBackquote, quote } from './go-quote.ts';
import { joinHostPort, splitHostPort } from './host-port.ts';
import { matches, replaceAll } from './re2.ts';
import { titleCase } from './title.ts';
import { escapeQuery } from './url-escape.ts';
import type { Value } from './value.ts';

export const TEXT_FUNCTIONS: FunctionTable = {
  title: ofText(titleCase),
  toUpper: ofText(toUpperCase),
  toLower: ofText(toLowerCase),
  match: {
    parameters: ['string', 'string'],
    apply: ([pattern, subject]) =>
      orFail(
        () => matches(text(pattern), text(subject)),
        (reason) => reason,
      ),
  },
  reReplaceAll: {
    parameters: ['string', 'string', 'string'],
    apply: ([pattern, replacement, subject]) =>
      orFail(
        () => replaceAll(text(pattern), text(replacement), text(subject)),
        (reason) => `regexp: Compile(${shown(text(pattern))}): ${reason}`,
      ),
  },
  stripPort: ofText((address) => splitHostPort(address)?.host ?? address),
  stripDomain: ofText(stripDomain),
  urlQueryEscape: ofText(escapeQuery),
  graphLink: ofText((expr) => `/graph?g0.expr=${escapeQuery(expr)}&g0.tab=0`),
  tableLink: ofText((expr) => `/graph?g0.expr=${escapeQuery(expr)}&g0.tab=1`),
  safeHtml: ofText((written) => ({ kind: 'html', text: written })),
  externalURL: { parameters: [], apply: (_, { data }) => data.externalUrl },
  pathPrefix: { parameters: [], apply: (_, { data }) => pathOf(data.externalUrl) },
  args: {
    parameters: [],
    rest: 'interface {}',
    apply: (values) => ({ kind: 'map', holds: 'interface {}', entries: argumentsByName(values) }),
  },
  tmpl: {
    parameters: ['string', 'interface {}'],
    apply: ([name, data], scope) => renderDefined(text(name), data, scope),
  },
};

function orFail(apply: () => Value, explain: (reason: string) => string): Value {
  try {
    return apply();
  } catch (error) {
    throw new FunctionError(explain(messageOf(error)));
  }
}

function shown(pattern: string): string {
  return canBackquote(pattern) ? `\`${pattern}\`` : quote(pattern);
}

/** The first part of the host name with its port; addresses stay whole. */
function stripDomain(address: string): string {
  const split = splitHostPort(address);
  const host = split?.host ?? address;
  if (isIP(host) !== 0 && !host.includes('%')) return address;
  const [name = ''] = host.split('.');
  return split === undefined || split.port === '' ? name : joinHostPort(name, split.port);
}

function pathOf(externalUrl: string): string {
  const path = URL.canParse(externalUrl) ? new URL(externalUrl).pathname : '';
  return path === '/' && !externalUrl.endsWith('/') ? '' : decodePath(path);
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function argumentsByName(values: readonly Value[]): Readonly<Record<string, Value>> {
  return Object.fromEntries(values.map((held, index) => [`arg${index}`, { kind: 'interface', held }]));
}

function renderDefined(name: string, data: Value, scope: Scope): Value {
  const rendered = scope.render(name, data);
  if (rendered === undefined) throw new FunctionError(`html/template: ${quote(name)} is undefined`);
  return { kind: 'html', text: rendered };
}
