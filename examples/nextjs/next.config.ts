import type { NextConfig } from 'next';

// The page holds a token, so it may load scripts from here only, and connect to here and to the gateway only. Next.js writes
// scripts into its pages; a real application gives them a nonce in place of 'unsafe-inline'.
const policy = [
  "default-src 'none'",
  "script-src 'self' 'unsafe-inline'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self'",
  `connect-src 'self' ${new URL(process.env.NEXT_PUBLIC_FETCH_ENDPOINT!).origin}`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

const config: NextConfig = {
  poweredByHeader: false,
  reactStrictMode: true,
  typescript: { ignoreBuildErrors: true }, // `npm run check` reports them, also in the modules that are not bundled
  eslint: { ignoreDuringBuilds: true },
  headers: async () => [{
    source: '/:path*',
    headers: [
      { key: 'Content-Security-Policy', value: policy },
      { key: 'Referrer-Policy', value: 'same-origin' },
      { key: 'X-Content-Type-Options', value: 'nosniff' },
    ],
  }],
};

export default config;
