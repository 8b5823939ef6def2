<?php
/**
 * Plugin Name: Seatcast – live seats
 * Description: [tour_availability tour="tour_paris" departures="3"] in a post, a page or a widget shows a tour's seats, live.
 * Version:     1.0.0
 * License:     MIT
 *
 * One file: put it into wp-content/plugins and activate it. Where the tours are is a line of wp-config.php:
 *
 *     define( 'SEATCAST_API', 'https://tours.example' );
 */

if ( ! defined( 'ABSPATH' ) ) {
	exit;
}

/** Where the tours are, without a slash at its end; '' until it is defined. */
function seatcast_api(): string {
	return defined( 'SEATCAST_API' ) ? untrailingslashit( SEATCAST_API ) : '';
}

// Once on a page, and only on pages that have a tag. Without a version in the address: the service answers it with
// `no-cache`, so that browsers ask whether there is a newer one.
add_action( 'wp_enqueue_scripts', function (): void {
	wp_register_script( 'seatcast-widget', seatcast_api() . '/widget.js', array(), null, array( 'strategy' => 'async' ) );
} );

/**
 * The tag. Page caches may keep it for as long as they like: it holds no figure.
 *
 * @param array|string $given What the post's author wrote.
 * @param string|null  $content What to show without JavaScript, and until the seats are known.
 */
function seatcast_tag( $given, ?string $content = null ): string {
	if ( seatcast_api() === '' ) {
		return current_user_can( 'manage_options' ) ? esc_html( 'SEATCAST_API is not defined in wp-config.php.' ) : '';
	}
	$known = array( 'tour' => '', 'departure' => '', 'departures' => '', 'href' => '', 'lang' => '' );
	$wanted = array_filter( shortcode_atts( $known, $given, 'tour_availability' ), 'strlen' );
	wp_enqueue_script( 'seatcast-widget' );
	$html = '<tour-availability api="' . esc_url( seatcast_api() ) . '"';
	foreach ( $wanted as $name => $value ) {
		$html .= ' ' . $name . '="' . ( 'href' === $name ? esc_url( $value ) : esc_attr( $value ) ) . '"';
	}
	return $html . '>' . wp_kses_post( $content ?? '' ) . '</tour-availability>';
}
add_shortcode( 'tour_availability', 'seatcast_tag' );
