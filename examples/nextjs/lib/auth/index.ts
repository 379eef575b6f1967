// The identity provider of this application. To use another one, import its module here: clerk, auth0, stack-auth, stytch or
// azure-ad-b2c. The bundle contains only this one.

export { auth } from './oidc';
